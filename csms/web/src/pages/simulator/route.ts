import { definePages } from '@/app/pages'
import { useConfigured } from './about'

export default definePages({
  path: '/simulator',
  load: () => import('./page'),
  nav: { section: 'system', label: 'Simulator', icon: 'plug', order: 90, key: 'x', useShown: useConfigured },
})
