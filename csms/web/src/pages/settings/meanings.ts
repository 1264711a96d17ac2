/** What each setting means; the names are those of the environment. */

/** What it is, and in words what holds where nothing is set and the API tells no value. */
type Words = string | readonly [about: string, otherwise: string]

const WORDS: Readonly<Record<string, Readonly<Record<string, Words>>>> = {
  Chargers: {
    CSMS_OCPP_HOST: 'The address that is listened at for chargers; 0.0.0.0: all.',
    CSMS_OCPP_PORT: 'Port for chargers, not encrypted (ws).',
    CSMS_OCPP_TLS_PORT: 'Port for chargers over TLS (wss), once there are certificates.',
    CSMS_ACCEPT_UNKNOWN_STATIONS:
      'Whether a charger that comes under a new name becomes a station by itself.',
    CSMS_QUIET: 'Whether new stations get no call that nobody has asked for.',
    CSMS_CALL_TIMEOUT_S: 'How long an answer of a charger is waited for, seconds.',
    CSMS_HEARTBEAT_INTERVAL_S: 'How often chargers tell that they are there, seconds.',
    CSMS_PING_INTERVAL_S: 'How often connections are tried, seconds; 0: never.',
    CSMS_PING_TIMEOUT_S: 'After which a connection without an answer counts as cut, seconds.',
    CSMS_REPAIRS_OFF: ['Repairs of odd messages that no station gets.', 'none'],
    CSMS_REPAIRS_ON: ['Repairs that are done though they are off by default.', 'none'],
  },
  'Cockpit and API': {
    CSMS_HTTP_HOST:
      'The address that is listened at for the cockpit, the API and driver pages; 0.0.0.0: all.',
    CSMS_HTTP_PORT: 'Port of the cockpit, the API and driver pages.',
    CSMS_HTTP_TLS: 'Whether cockpit, API and driver pages are reached by https.',
    CSMS_TRUSTED_PROXIES: [
      'Whose word counts on where a request came from: addresses or networks.',
      'nobody',
    ],
    CSMS_LOG_LEVEL: 'How much the log of the process tells.',
  },
  'Drivers and prices': {
    CSMS_DRIVER_PAGE:
      'What drivers may do behind the QR code of a connector, where site and station say nothing.',
    CSMS_PUBLIC_URL: [
      'What drivers reach this system by; it stands in QR codes.',
      'the address of whoever asks for the codes',
    ],
    CSMS_PRICE_PER_KWH: 'Price of a kWh where no tariff holds.',
    CSMS_CURRENCY: 'Currency of the price where no tariff holds.',
  },
  Security: {
    CSMS_TLS_DIR: [
      'Folder of the certificates of this server and of those that it trusts.',
      'tls in the data folder',
    ],
    CSMS_CA_DIR: ['Folder of our own certificate authority for chargers.', 'ca in the data folder'],
    CSMS_CA_COMMAND: [
      'A program that signs certificates of chargers instead.',
      'none: our own authority, if it was made',
    ],
    CSMS_CPO_NAME: ["The operator's name, as certificates of chargers carry it.", 'none'],
    CSMS_CERTIFICATE_RENEWAL_DAYS: "How many days before its end a station's certificate is renewed.",
    CSMS_SECRET_FILE: [
      'File of the key of hashes and cookies; the same on all nodes.',
      'made in the data folder',
    ],
    CSMS_ADMIN_TOKEN: 'A token that is always an administrator’s.',
  },
  Data: {
    CSMS_DATABASE_URL: ['The Postgres database.', 'one of our own in the data folder'],
    CSMS_DATA_DIR: 'Folder of all that is kept.',
    CSMS_MESSAGE_LOG_DAYS: 'How many days OCPP messages are kept.',
    CSMS_MESSAGE_LOG_MAX_MB: [
      'How much room OCPP messages may take, MB.',
      '10000 (in our own database 2000)',
    ],
    CSMS_CONNECTOR_HISTORY_DAYS: 'How many days the states of connectors are kept.',
  },
  'Files of chargers': {
    CSMS_FILES_HOST: ['The address that is listened at for files of chargers.', 'as for chargers'],
    CSMS_FILES_PORT: ['Port for firmware and diagnostics over HTTP(S).', 'off'],
    CSMS_FILES_URL: ['What chargers reach files over HTTP(S) by.', 'the host of their own connection'],
    CSMS_FILES_TLS: ['Whether chargers reach files by https.', 'where there are certificates'],
    CSMS_FILES_MAX_MB: 'The largest file that is taken, MB.',
    CSMS_FILES_KEEP_MB: 'How much of all files is kept, MB.',
    CSMS_FILES_KEEP_DAYS: 'How many days files are kept.',
    CSMS_FTP_PORT: ['Port for files over FTP(S).', 'off'],
    CSMS_FTP_URL: ['What chargers reach files over FTP(S) by.', 'the host of their own connection'],
    CSMS_FTP_PASSIVE_PORTS: ['Ports of transfers over FTP(S), for firewalls.', 'any'],
  },
  'Connections to others': {
    CSMS_MQTT_URL: ['The broker where site meters tell their power.', 'none'],
    CSMS_SIMULATOR_URL: ['The control address of the simulator.', 'none'],
  },
}

const OTHER = 'Other'

export const GROUPS: readonly string[] = [...Object.keys(WORDS), OTHER]

export interface Meaning {
  group: string
  about: string
  otherwise?: string
}

/** Meanings by the name of the setting. */
export const MEANINGS: ReadonlyMap<string, Meaning> = new Map(
  Object.entries(WORDS).flatMap(([group, settings]) =>
    Object.entries(settings).map(([name, words]): [string, Meaning] => {
      const [about, otherwise] = typeof words === 'string' ? [words] : words
      return [name, { group, about, ...(otherwise === undefined ? {} : { otherwise }) }]
    }),
  ),
)

export interface Shown {
  name: string
  value: string | null
  /** What holds where nothing is set; null: nothing, or what its meaning says. */
  default: string | null
  isSet: boolean
  secret: boolean
}

/** Returns settings by group, in the order of the groups; one without a meaning is among the others. */
export function grouped(settings: readonly Shown[], text = ''): { group: string; settings: Shown[] }[] {
  const words = text.toLowerCase().split(/\s+/).filter(Boolean)
  const found = settings.filter(({ name, value }) => {
    const written = `${name} ${value ?? ''} ${MEANINGS.get(name)?.about ?? ''}`.toLowerCase()
    return words.every((word) => written.includes(word))
  })
  return GROUPS.map((group) => ({
    group,
    settings: found.filter(({ name }) => (MEANINGS.get(name)?.group ?? OTHER) === group),
  })).filter((each) => each.settings.length > 0)
}

/** A value as it would stand in the environment, or words where there is none. */
export interface Told {
  text: string
  literal: boolean
}

/** Returns what holds. */
export function presentOf(setting: Shown): Told {
  const { value, isSet, secret } = setting
  if (secret) return { text: isSet ? 'set, never shown' : 'not set', literal: false }
  return isSet ? literally(value) : defaultOf(setting)
}

/** Returns what holds where nothing is set. */
export function defaultOf({ name, default: usual, value, isSet, secret }: Shown): Told {
  if (secret) return { text: 'not set', literal: false }
  return literally(isSet ? usual : (value ?? usual), MEANINGS.get(name)?.otherwise)
}

function literally(value: string | null, otherwise = 'nothing'): Told {
  return value === null || value === '' ? { text: otherwise, literal: false } : { text: value, literal: true }
}
