import { definePages } from '@/app/pages'

export default definePages(
  {
    path: '/sites',
    load: () => import('./page'),
    nav: { section: 'power', label: 'Sites', icon: 'site', order: 10, key: 'p' },
  },
  { path: '/sites/$siteId', load: () => import('./detail') },
)
