import { definePages } from '@/app/pages'

export default definePages({
  path: '/settings',
  load: () => import('./page'),
  role: 'admin',
  nav: { section: 'system', label: 'Settings', icon: 'settings', order: 30 },
})
