import { Button, Center, Loader, MantineProvider } from '@mantine/core'
import { Notifications } from '@mantine/notifications'
import { QueryClient, QueryClientProvider } from '@tanstack/react-query'
import { RouterProvider } from '@tanstack/react-router'
import { useEffect } from 'react'
import { onSignedOut } from '@/api/client'
import { ME, signOut, useMeQuery } from '@/api/me'
import { asProblem, type Problem } from '@/api/problem'
import { EmptyState } from '@/parts/EmptyState'
import { ProblemNotice } from '@/parts/ProblemNotice'
import { router } from './router'
import { SignIn } from './SignIn'
import { theme } from './theme'

const queries = new QueryClient({
  defaultOptions: {
    queries: {
      staleTime: 5000,
      refetchOnWindowFocus: true,
      // what the server has refused it refuses again
      retry: (count, error) => count < 2 && (asProblem(error).status === 0 || asProblem(error).status >= 500),
    },
    mutations: { retry: false },
  },
})

export function App() {
  return (
    <MantineProvider theme={theme} defaultColorScheme="auto">
      <QueryClientProvider client={queries}>
        <Notifications position="bottom-right" limit={4} />
        <SignedInOrNot />
      </QueryClientProvider>
    </MantineProvider>
  )
}

/** Shows the cockpit to whom the server knows, else the sign-in at the same address. */
function SignedInOrNot() {
  const me = useMeQuery()
  useEffect(
    () =>
      onSignedOut(() => {
        // the session has ended while the cockpit was open: ask once more, which shows the sign-in
        if (queries.getQueryData(ME) !== undefined) void queries.resetQueries({ queryKey: ME })
      }),
    [],
  )
  if (me.data !== undefined) return <RouterProvider router={router} />
  if (me.error?.status === 401) return <SignIn onSignedIn={() => queries.resetQueries({ queryKey: ME })} />
  if (me.error?.status === 403)
    return <ForDrivers onSignedOut={() => queries.resetQueries({ queryKey: ME })} />
  if (me.error) return <Unreachable problem={me.error} retry={() => me.refetch()} />
  return (
    <Center h="100vh">
      <Loader aria-label="Loading" />
    </Center>
  )
}

/** The server refuses drivers all that is here. */
function ForDrivers({ onSignedOut }: { onSignedOut: () => void }) {
  return (
    <Center component="main" h="100vh" p="md">
      <EmptyState
        icon="user"
        title="This is for those who run the chargers"
        action={
          <Button variant="default" onClick={() => void signOut().then(onSignedOut)}>
            Sign out
          </Button>
        }
      >
        You are signed in as a driver. To charge, scan the code at a charger: its page shows the price and
        starts.
      </EmptyState>
    </Center>
  )
}

function Unreachable({ problem, retry }: { problem: Problem; retry: () => void }) {
  return (
    <Center h="100vh" p="md">
      <ProblemNotice problem={problem} title="The cockpit cannot start" retry={retry} />
    </Center>
  )
}
