import { useState } from 'react'
import { asProblem, formErrors } from '@/api/problem'

/** The state of a form that is being sent: what is wrong at which field, and with all of it. */
export interface Sending {
  errors: Readonly<Record<string, string>>
  rest: string | null
  busy: boolean
  /** Takes the blame from a field that is typed in. */
  forgive: (path: string) => void
  blame: (problems: Readonly<Record<string, string>>) => void
  /** Sends; what the server refuses is shown at its field, what was typed stays. */
  send: (act: () => Promise<void>) => Promise<void>
}

interface SendingOptions {
  /** Lists whose parts (`circuits.0.id`) the form shows too. */
  lists?: readonly string[]
  /** Path of the API -> field of the form, where they differ. */
  names?: Readonly<Record<string, string>>
}

/** One way to send a form; `fields`: paths that the form shows, all other blame is of the whole. */
export function useSending(
  fields: readonly string[],
  { lists = [], names = {} }: SendingOptions = {},
): Sending {
  const [errors, setErrors] = useState<Readonly<Record<string, string>>>({})
  const [rest, setRest] = useState<string | null>(null)
  const [busy, setBusy] = useState(false)
  return {
    errors,
    rest,
    busy,
    forgive: (path) => setErrors(({ [path]: _, ...others }) => others),
    blame: (problems) => {
      setErrors(problems)
      setRest(null)
    },
    send: async (act) => {
      setBusy(true)
      setErrors({})
      setRest(null)
      try {
        await act()
      } catch (error) {
        const problem = asProblem(error)
        const inLists = Object.keys(problem.fields).filter((path) =>
          lists.some((list) => path === list || path.startsWith(`${list}.`)),
        )
        const said = formErrors(problem, [...fields, ...inLists], names)
        setErrors(said.fields)
        setRest(said.rest)
      } finally {
        setBusy(false)
      }
    },
  }
}
