import { definePages } from '@/app/pages'

export default definePages({
  path: '/audit',
  load: () => import('./page'),
  role: 'admin',
  nav: { section: 'system', label: 'Audit trail', icon: 'clock', order: 20, key: 'a' },
})
