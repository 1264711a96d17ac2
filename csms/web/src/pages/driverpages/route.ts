import { definePages } from '@/app/pages'

export default definePages({
  path: '/driver-pages',
  load: () => import('./page'),
  nav: { section: 'drivers', label: 'Driver pages', icon: 'qr', order: 90, key: 'q' },
})
