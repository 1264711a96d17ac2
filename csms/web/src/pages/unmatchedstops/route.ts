import { definePages } from '@/app/pages'

export default definePages({
  path: '/unmatched-stops',
  load: () => import('./page'),
  nav: { section: 'records', label: 'Unmatched stops', icon: 'alert', order: 65 },
})
