import { Text } from '@mantine/core'
import { PageLink } from '@/parts/PageLink'
import { useAbout } from '../simulator/about'

/** What somebody can do who has no charger yet. */
export function NoCharger() {
  const { data: about } = useAbout()
  if (about === undefined) return null
  return (
    <Text size="sm" mt="sm" c="dimmed">
      No charger at hand?{' '}
      {about.configured ? (
        <>
          <PageLink to="/simulator">Charge a simulated car</PageLink>.
        </>
      ) : (
        <>
          To play with simulated ones, start <code>csms-simulator serve</code>, and csms with{' '}
          <code>CSMS_SIMULATOR_URL=http://127.0.0.1:3000</code>.
        </>
      )}
    </Text>
  )
}
