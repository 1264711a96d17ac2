import { definePages } from '@/app/pages'

export default definePages({
  path: '/reservations',
  load: () => import('./page'),
  nav: { section: 'drivers', label: 'Reservations', icon: 'calendar', order: 20, key: 'r' },
})
