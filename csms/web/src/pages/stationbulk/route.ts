import { definePages } from '@/app/pages'

export default definePages(
  {
    path: '/bulk',
    load: () => import('./page'),
    nav: { section: 'records', label: 'Bulk calls', icon: 'list', order: 60 },
  },
  { path: '/bulk/new', load: () => import('./NewBulk'), role: 'operator' },
  { path: '/bulk/$jobId', load: () => import('./job') },
)
