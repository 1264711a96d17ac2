import { definePages } from '@/app/pages'

export default definePages({
  path: '/',
  load: () => import('./page'),
  nav: { section: 'now', label: 'Overview', icon: 'home', order: 10, key: 'o' },
})
