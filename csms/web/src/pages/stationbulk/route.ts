import { definePages } from '@/app/pages'

export default definePages(
  { path: '/bulk', load: () => import('./page') },
  { path: '/bulk/new', load: () => import('./NewBulk'), role: 'operator' },
  { path: '/bulk/$jobId', load: () => import('./job') },
)
