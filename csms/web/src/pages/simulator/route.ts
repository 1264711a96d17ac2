import { definePages } from '@/app/pages'

export default definePages({
  path: '/simulator',
  load: () => import('./page'),
  nav: { section: 'system', label: 'Simulator', icon: 'plug', order: 90, key: 'x' },
})
