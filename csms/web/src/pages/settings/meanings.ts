/** What each setting means; the names are those of the environment. */

export interface Meaning {
  group: string
  about: string
  /** What holds where nothing is set and the API tells no value. */
  otherwise?: string
}

export const GROUPS = [
  'Chargers',
  'Cockpit and API',
  'Drivers and prices',
  'Security',
  'Data',
  'Files of chargers',
  'Connections to others',
  'Other',
] as const

const chargers = 'Chargers'
const cockpit = 'Cockpit and API'
const drivers = 'Drivers and prices'
const security = 'Security'
const data = 'Data'
const files = 'Files of chargers'
const others = 'Connections to others'

export const MEANINGS: Readonly<Record<string, Meaning>> = {
  CSMS_OCPP_HOST: {
    group: chargers,
    about: 'The address that is listened at for chargers.',
    otherwise: 'all addresses (demo: this machine only)',
  },
  CSMS_OCPP_PORT: { group: chargers, about: 'Port for chargers, not encrypted (ws).' },
  CSMS_OCPP_TLS_PORT: {
    group: chargers,
    about: 'Port for chargers over TLS (wss), once there are certificates.',
  },
  CSMS_ACCEPT_UNKNOWN_STATIONS: {
    group: chargers,
    about: 'Whether a charger that comes under a new name becomes a station by itself.',
    otherwise: 'false (demo: true)',
  },
  CSMS_QUIET: {
    group: chargers,
    about: 'Whether new stations get no call that nobody has asked for.',
    otherwise: 'true (demo: false)',
  },
  CSMS_CALL_TIMEOUT_S: { group: chargers, about: 'How long an answer of a charger is waited for, seconds.' },
  CSMS_HEARTBEAT_INTERVAL_S: {
    group: chargers,
    about: 'How often chargers tell that they are there, seconds.',
  },
  CSMS_PING_INTERVAL_S: { group: chargers, about: 'How often connections are tried, seconds; 0: never.' },
  CSMS_PING_TIMEOUT_S: {
    group: chargers,
    about: 'After which a connection without an answer counts as cut, seconds.',
  },
  CSMS_REPAIRS_OFF: {
    group: chargers,
    about: 'Repairs of odd messages that no station gets.',
    otherwise: 'none',
  },
  CSMS_REPAIRS_ON: {
    group: chargers,
    about: 'Repairs that are done though they are off by default.',
    otherwise: 'none',
  },
  CSMS_HTTP_HOST: {
    group: cockpit,
    about: 'The address that is listened at for the cockpit, the API and driver pages.',
    otherwise: 'all addresses (demo: this machine only)',
  },
  CSMS_HTTP_PORT: { group: cockpit, about: 'Their port.' },
  CSMS_HTTP_TLS: { group: cockpit, about: 'Whether they are reached by https.' },
  CSMS_TRUSTED_PROXIES: {
    group: cockpit,
    about: 'Whose word counts on where a request came from: addresses or networks.',
    otherwise: 'nobody',
  },
  CSMS_LOG_LEVEL: { group: cockpit, about: 'How much the log of the process tells.' },
  CSMS_DRIVER_PAGE: {
    group: drivers,
    about: 'What drivers may do behind the QR code of a connector, where site and station say nothing.',
    otherwise: 'off (demo: open)',
  },
  CSMS_PUBLIC_URL: {
    group: drivers,
    about: 'What drivers reach this system by; it stands in QR codes.',
    otherwise: 'the address of whoever asks for the codes',
  },
  CSMS_PRICE_PER_KWH: { group: drivers, about: 'Price of a kWh where no tariff holds.' },
  CSMS_CURRENCY: { group: drivers, about: 'Its currency.' },
  CSMS_TLS_DIR: {
    group: security,
    about: 'Folder of the certificates of this server and of those that it trusts.',
    otherwise: 'tls in the data folder',
  },
  CSMS_CA_DIR: {
    group: security,
    about: 'Folder of our own certificate authority for chargers.',
    otherwise: 'ca in the data folder',
  },
  CSMS_CA_COMMAND: {
    group: security,
    about: 'A program that signs certificates of chargers instead.',
    otherwise: 'none: our own authority, if it was made',
  },
  CSMS_CPO_NAME: {
    group: security,
    about: "The operator's name, as certificates of chargers carry it.",
    otherwise: 'none',
  },
  CSMS_CERTIFICATE_RENEWAL_DAYS: {
    group: security,
    about: "How many days before its end a station's certificate is renewed.",
  },
  CSMS_SECRET_FILE: {
    group: security,
    about: 'File of the key of hashes and cookies; the same on all nodes.',
    otherwise: 'made in the data folder',
  },
  CSMS_ADMIN_TOKEN: { group: security, about: 'A token that is always an administrator’s.' },
  CSMS_DATABASE_URL: {
    group: data,
    about: 'The Postgres database.',
    otherwise: 'one of our own in the data folder',
  },
  CSMS_DATA_DIR: { group: data, about: 'Folder of all that is kept.' },
  CSMS_MESSAGE_LOG_DAYS: { group: data, about: 'How many days OCPP messages are kept.' },
  CSMS_MESSAGE_LOG_MAX_MB: {
    group: data,
    about: 'How much room they may take, MB.',
    otherwise: '10000 (in our own database 2000)',
  },
  CSMS_CONNECTOR_HISTORY_DAYS: { group: data, about: 'How many days the states of connectors are kept.' },
  CSMS_FILES_HOST: {
    group: files,
    about: 'The address that is listened at for files of chargers.',
    otherwise: 'as for chargers',
  },
  CSMS_FILES_PORT: {
    group: files,
    about: 'Port for firmware and diagnostics over HTTP(S).',
    otherwise: 'off',
  },
  CSMS_FILES_URL: {
    group: files,
    about: 'What chargers reach it by.',
    otherwise: 'the host of their own connection',
  },
  CSMS_FILES_TLS: {
    group: files,
    about: 'Whether it is reached by https.',
    otherwise: 'where there are certificates',
  },
  CSMS_FILES_MAX_MB: { group: files, about: 'The largest file that is taken, MB.' },
  CSMS_FILES_KEEP_MB: { group: files, about: 'How much of all files is kept, MB.' },
  CSMS_FILES_KEEP_DAYS: { group: files, about: 'How many days files are kept.' },
  CSMS_FTP_PORT: { group: files, about: 'Port for files over FTP(S).', otherwise: 'off' },
  CSMS_FTP_URL: {
    group: files,
    about: 'What chargers reach it by.',
    otherwise: 'the host of their own connection',
  },
  CSMS_FTP_PASSIVE_PORTS: { group: files, about: 'Ports of its transfers, for firewalls.', otherwise: 'any' },
  CSMS_MQTT_URL: {
    group: others,
    about: 'The broker where site meters tell their power.',
    otherwise: 'none',
  },
  CSMS_SIMULATOR_URL: { group: others, about: 'The control address of the simulator.', otherwise: 'none' },
}

export interface Shown {
  name: string
  value: string | null
  isSet: boolean
  secret: boolean
}

/** Returns settings by group, in the order of the groups; one without a meaning is among the others. */
export function grouped(settings: readonly Shown[], text = ''): { group: string; settings: Shown[] }[] {
  const words = text.toLowerCase().split(/\s+/).filter(Boolean)
  const found = settings.filter(({ name, value }) => {
    const written = `${name} ${value ?? ''} ${MEANINGS[name]?.about ?? ''}`.toLowerCase()
    return words.every((word) => written.includes(word))
  })
  return GROUPS.map((group) => ({
    group,
    settings: found.filter(({ name }) => (MEANINGS[name]?.group ?? 'Other') === group),
  })).filter((each) => each.settings.length > 0)
}

/** Returns what holds, in words. */
export function wordsOf({ name, value, isSet, secret }: Shown): string {
  if (secret) return isSet ? 'set, never shown' : 'not set'
  if (value !== null && value !== '') return value
  return MEANINGS[name]?.otherwise ?? 'nothing'
}
