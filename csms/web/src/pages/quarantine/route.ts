import { definePages } from '@/app/pages'

export default definePages({
  path: '/quarantine',
  load: () => import('./page'),
  nav: { section: 'records', label: 'Quarantine', icon: 'shield', order: 70 },
})
