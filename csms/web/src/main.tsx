import '@mantine/core/styles.css'
import '@mantine/notifications/styles.css'
import './app/app.css'
import { StrictMode } from 'react'
import { createRoot } from 'react-dom/client'
import { App } from './app/App'
import { mendLanguage } from './app/language'

mendLanguage() // before a page is loaded: its parts ask for it

// a page of an older build asks for parts that the newer one no longer has: load the newer one, once
window.addEventListener('vite:preloadError', (event) => {
  const at = Number(sessionStorage.getItem('csms-reloaded-at') ?? 0)
  if (Date.now() - at < 10_000) return
  sessionStorage.setItem('csms-reloaded-at', String(Date.now()))
  event.preventDefault()
  window.location.reload()
})

const root = document.getElementById('root')
if (root === null) throw new Error('the page has no root')
createRoot(root).render(
  <StrictMode>
    <App />
  </StrictMode>,
)
