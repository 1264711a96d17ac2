import { definePages } from '@/app/pages'

export default definePages({
  path: '/firmware',
  load: () => import('./page'),
  nav: { section: 'records', label: 'Firmware and files', icon: 'upload', order: 35, key: 'f' },
})
