import { definePages } from '@/app/pages'

export default definePages({
  path: '/statistics',
  load: () => import('./page'),
  nav: { section: 'records', label: 'Statistics', icon: 'chart', order: 10, key: 'n' },
})
