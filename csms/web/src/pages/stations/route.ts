import { definePages } from '@/app/pages'

export default definePages({
  path: '/stations',
  load: () => import('./page'),
  nav: { section: 'now', label: 'Stations', icon: 'station', order: 20, key: 's' },
})
