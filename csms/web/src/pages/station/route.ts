import { definePages } from '@/app/pages'

export default definePages({ path: '/stations/$stationId', load: () => import('./page') })
