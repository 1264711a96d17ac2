/**
 * Gives a browser without a language one: under `LANG=C` Chromium says that its language is
 * `en-US@posix`, which `Intl` refuses, and with it the charts. The cockpit itself speaks English.
 */
export function mendLanguage(browser: Navigator = navigator): void {
  try {
    Intl.getCanonicalLocales(browser.language)
  } catch {
    Object.defineProperty(browser, 'language', { value: 'en-US', configurable: true })
  }
}
