import { definePages } from '@/app/pages'

export default definePages({
  path: '/users',
  load: () => import('./page'),
  role: 'admin',
  nav: { section: 'system', label: 'Users and keys', icon: 'users', order: 10, key: 'u' },
})
