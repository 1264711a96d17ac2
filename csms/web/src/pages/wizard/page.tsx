import { Button } from '@mantine/core'
import { useNavigate, useSearch } from '@tanstack/react-router'
import { type ReactNode, useState } from 'react'
import { useLoaded, useStation } from '@/live/hooks'
import { Icon } from '@/parts/Icon'
import { PageHeader } from '@/parts/PageHeader'
import { StatusBadge } from '@/parts/StatusBadge'
import { Connect } from './Connect'
import { NameIt } from './NameIt'
import { TryIt } from './TryIt'
import classes from './wizard.module.css'

interface Search {
  /** Who was refused and shall be let in. */
  identity?: string
  /** Whom it is about from step 2 on. */
  station?: string
  step?: 'try'
}

/** From a charger in a box to a charging car: connect it, name it, try it. */
export default function WizardPage() {
  const search = useSearch({ strict: false }) as Search
  const navigate = useNavigate()
  const loaded = useLoaded('stations')
  const station = useStation(search.station)
  const [named, setNamed] = useState(search.step === 'try')
  const go = (next: Search) =>
    void navigate({ to: '.', search: (({ site }: { site?: string }) => ({ site, ...next })) as never })

  const chosen = search.station
  const second = chosen !== undefined && !named
  const third = chosen !== undefined && named
  return (
    <>
      <PageHeader title="Connect a charger" subtitle="Three steps, from its address to a charging car" />
      <ol className={classes.steps}>
        <Step
          number={1}
          title="Connect it"
          state={chosen === undefined ? 'now' : station?.online ? 'done' : 'now'}
          beside={
            chosen !== undefined && (
              <>
                <StatusBadge
                  status={station?.online ? 'online' : 'Pending'}
                  text={station?.online ? `${station.name} is connected` : `Waiting for ${chosen}`}
                />{' '}
                <Button variant="subtle" onClick={() => go({})}>
                  Another one
                </Button>
              </>
            )
          }
        >
          {(chosen === undefined || (loaded && !station?.online)) && (
            <Connect
              refused={search.identity}
              waitingFor={chosen}
              choose={(id) => {
                setNamed(false)
                go({ station: id })
              }}
            />
          )}
        </Step>
        <Step
          number={2}
          title="Name it and say where it stands"
          state={second ? 'now' : third ? 'done' : 'later'}
          beside={
            third && (
              <Button variant="subtle" onClick={() => setNamed(false)}>
                Change
              </Button>
            )
          }
        >
          {second && <NameIt key={chosen} stationId={chosen} done={() => setNamed(true)} />}
        </Step>
        <Step number={3} title="Try a start" state={third ? 'now' : 'later'}>
          {third && <TryIt stationId={chosen} again={() => go({})} />}
        </Step>
      </ol>
    </>
  )
}

interface StepProps {
  number: number
  title: string
  state: 'now' | 'done' | 'later'
  beside?: ReactNode
  children: ReactNode
}

function Step({ number, title, state, beside, children }: StepProps) {
  return (
    <li
      className={`card ${classes.step}`}
      data-state={state}
      aria-current={state === 'now' ? 'step' : undefined}
    >
      <div className={classes.head}>
        <span className={classes.number} aria-hidden="true">
          {state === 'done' ? <Icon name="check" size={15} /> : number}
        </span>
        <h2>{title}</h2>
        {beside && (
          <span className={classes.told} role="status">
            {beside}
          </span>
        )}
      </div>
      {children && <div className={classes.body}>{children}</div>}
    </li>
  )
}
