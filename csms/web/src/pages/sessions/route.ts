import { definePages } from '@/app/pages'

export default definePages(
  {
    path: '/sessions',
    load: () => import('./page'),
    nav: { section: 'now', label: 'Sessions', icon: 'bolt', order: 30, key: 'e' },
  },
  { path: '/sessions/$sessionId', load: () => import('./detail') },
)
