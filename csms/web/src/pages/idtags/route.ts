import { definePages } from '@/app/pages'

export default definePages({
  path: '/id-tags',
  load: () => import('./page'),
  nav: { section: 'drivers', label: 'Id tags', icon: 'tag', order: 10, key: 'i' },
})
