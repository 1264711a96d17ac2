import { definePages } from '@/app/pages'

export default definePages({
  path: '/messages',
  load: () => import('./page'),
  nav: { section: 'now', label: 'Messages', icon: 'message', order: 40, key: 'm' },
})
