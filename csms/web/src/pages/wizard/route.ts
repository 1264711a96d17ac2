import { definePages } from '@/app/pages'

export default definePages({ path: '/wizard', load: () => import('./page'), role: 'operator' })
