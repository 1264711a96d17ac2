import { definePages } from '@/app/pages'

export default definePages({ path: '/messages/replay', load: () => import('./page'), role: 'operator' })
