const TEXTS: Readonly<Record<string, string>> = {
  ConnectorLockFailure: 'The connector cannot be locked or unlocked.',
  EVCommunicationError: 'The car cannot be talked to.',
  GroundFailure: 'A ground fault breaker has tripped.',
  HighTemperature: 'It is too hot inside.',
  InternalError: 'Something inside has failed.',
  LocalListConflict: 'Its local list does not fit what we have answered.',
  OverCurrentFailure: 'Too much current.',
  OverVoltage: 'The voltage is too high.',
  PowerMeterFailure: 'The meter cannot be read.',
  PowerSwitchFailure: 'The power switch cannot be controlled.',
  ReaderFailure: 'The tag reader does not work.',
  ResetFailure: 'It could not restart.',
  UnderVoltage: 'The voltage is too low.',
  WeakSignal: 'Its radio signal is weak.',
  OtherError: 'An error that only the vendor knows.',
}

/** Returns an OCPP error code in words, with the code. */
export function faultText(code: string): string {
  const text = TEXTS[code]
  return text === undefined ? code : `${text} (${code})`
}
