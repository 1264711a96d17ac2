import {
  Alert,
  Anchor,
  Box,
  Button,
  Center,
  Code,
  Paper,
  PasswordInput,
  Stack,
  Text,
  TextInput,
  Title,
} from '@mantine/core'
import { type FormEvent, useEffect, useState } from 'react'
import { asProblem, problemOf } from '@/api/problem'
import { Icon } from '@/parts/Icon'

/** Sign-in by name and password; says how to get a link without them. What was typed stays. */
export function SignIn({ onSignedIn }: { onSignedIn: () => void }) {
  const [name, setName] = useState('')
  const [password, setPassword] = useState('')
  const [wrong, setWrong] = useState<{ name?: string; password?: string; rest?: string }>({})
  const [busy, setBusy] = useState(false)
  const [badLink, setBadLink] = useState(false)

  useEffect(() => {
    document.title = 'Sign in · csms'
    // a link that led here was not valid; its token has no business in the address bar
    const address = new URL(window.location.href)
    if (address.pathname === '/sign-in') {
      setBadLink(address.searchParams.has('token'))
      window.history.replaceState(null, '', '/')
    }
  }, [])

  async function signIn(event: FormEvent) {
    event.preventDefault()
    const missing = {
      ...(name === '' ? { name: 'Enter your name' } : {}),
      ...(password === '' ? { password: 'Enter your password' } : {}),
    }
    setWrong(missing)
    if (Object.keys(missing).length > 0) return
    setBusy(true)
    try {
      const answer = await fetch('/sign-in', {
        method: 'POST',
        body: new URLSearchParams({ name, password }),
        redirect: 'manual', // success is a redirect that sets the cookie; where to is ours to say
      })
      if (answer.type === 'opaqueredirect') return onSignedIn()
      if (answer.status === 401) setWrong({ password: 'Name or password is wrong' })
      else setWrong({ rest: problemOf(answer.status, await answer.json().catch(() => null)).message })
    } catch (error) {
      setWrong({ rest: asProblem(error).message })
    } finally {
      setBusy(false)
    }
  }

  return (
    <Center component="main" mih="100vh" p="md">
      <Stack w={360} maw="100%" gap="lg">
        <Stack gap={4} align="center">
          <Icon name="bolt" size={36} color="var(--mantine-color-petrol-6)" />
          <Title order={1}>Sign in to csms</Title>
        </Stack>
        {badLink && (
          <Alert color="yellow" title="This link is not valid (any more)" variant="light">
            Ask for a new one, or sign in with your password.
          </Alert>
        )}
        <Paper p="lg" className="card">
          <form onSubmit={signIn} noValidate>
            <Stack gap="sm">
              <TextInput
                label="Name"
                name="name"
                autoComplete="username"
                value={name}
                onChange={(event) => setName(event.currentTarget.value)}
                error={wrong.name}
                data-autofocus
              />
              <PasswordInput
                label="Password"
                name="password"
                autoComplete="current-password"
                value={password}
                onChange={(event) => setPassword(event.currentTarget.value)}
                error={wrong.password}
              />
              {wrong.rest && (
                <Alert color="red" variant="light" role="alert">
                  {wrong.rest}
                </Alert>
              )}
              <Button type="submit" size="sm" fullWidth loading={busy} mt={4}>
                Sign in
              </Button>
            </Stack>
          </form>
        </Paper>
        <Box component="section" aria-label="Help">
          <Text size="sm" c="dimmed">
            No password yet? <Code>csms serve</Code> prints a sign-in link at its first start,{' '}
            <Code>make demo</Code> at every start. Lost it? <Code>csms user reset</Code> makes a new one. An
            administrator gives other people passwords under Users.
          </Text>
          <Text size="sm" c="dimmed" mt="xs">
            Programs use API keys: <Anchor href="/api/docs">API documentation</Anchor>
          </Text>
        </Box>
      </Stack>
    </Center>
  )
}
