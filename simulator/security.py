"""How a charge point and its central system prove who they are: the security profiles 0 to 3.

Owns SecurityProfile with its upgrade and fall-back (security whitepaper A05), AuthorizationKey
(A01), the certificates, and what the next connection is opened with. Nothing here touches the
network.
"""

import ssl
from collections.abc import Mapping
from typing import TYPE_CHECKING, Any, Protocol
from urllib.parse import quote

from cryptography.hazmat.primitives import serialization

from simulator.basic_auth import basic
from simulator.certificates import (
    CENTRAL,
    MANUFACTURER,
    CertificateError,
    CertificateStore,
    InstallStatus,
    Root,
    RootKind,
    pem_of,
    read_chain,
)
from simulator.configuration import ChangeStatus, Configuration
from simulator.own_certificate import OwnCertificate, load_identity
from simulator.security_log import SecurityLog
from simulator.settings import StationSettings

if TYPE_CHECKING:
    from simulator.clock import Clock

BASIC_PROFILES = (0, 1, 2)
TLS_PROFILES = (2, 3)
WITH_CERTIFICATE = 3

TLS_REASONS: Mapping[str, str] = {
    "UNSUPPORTED_PROTOCOL": "InvalidTLSVersion",
    "TLSV1_ALERT_PROTOCOL_VERSION": "InvalidTLSVersion",
    "WRONG_VERSION_NUMBER": "InvalidTLSVersion",
    "WRONG_SSL_VERSION": "InvalidTLSVersion",
    "NO_SHARED_CIPHER": "InvalidTLSCipherSuite",
    "SSLV3_ALERT_HANDSHAKE_FAILURE": "InvalidTLSCipherSuite",
    "TLSV1_ALERT_INSUFFICIENT_SECURITY": "InvalidTLSCipherSuite",
}
"""OpenSSL's words for what the whitepaper has events for."""


class Ends(Protocol):
    """What a profile change needs of its surroundings: a word to whoever watches."""

    def __call__(self, name: str, **data: object) -> None:
        """Tell watchers that something happened."""


class Security:
    """The secrets of one charge point.

    Args:
        settings: where it starts.
        configuration: holds SecurityProfile, AuthorizationKey and the certificates' keys.
        log: told security events.
        clock: for the validity of certificates.
        emit: told what changes.

    Raises:
        CertificateError: the settings' certificates cannot be used.
        OSError: a file of theirs cannot be read.
    """

    def __init__(
        self,
        settings: StationSettings,
        configuration: Configuration,
        log: SecurityLog,
        clock: "Clock",
        emit: Ends,
    ) -> None:
        self._settings = settings
        self._configuration = configuration
        self._log = log
        self._clock = clock
        self._emit = emit
        self.password = settings.password.encode() if settings.password is not None else None
        self.roots = CertificateStore(
            most=configuration.integer("CertificateStoreMaxLength"),
            checks_additional=configuration.flag("AdditionalRootCertificateCheck"),
        )
        self.own = OwnCertificate(settings.serial_number or settings.identity, settings.key_kind)
        if settings.identity_files is not None:
            self.own.identity = load_identity(*settings.identity_files)
        for kind, pems in ((CENTRAL, settings.central_roots), (MANUFACTURER, settings.makers)):
            for pem in pems:
                if self.roots.install(kind, pem, clock.now()) != "Accepted":
                    msg = f"a {kind} of the settings cannot be installed"
                    raise CertificateError(msg)
        if configuration.is_default("SecurityProfile"):
            configuration.override("SecurityProfile", str(settings.first_profile))
        self._previous: int | None = None
        self._has_new_key = False
        self._failures = 0
        self._uses_fallback_root = False
        self._noted: set[tuple[str, str]] = set()

    @property
    def profile(self) -> int:
        """The security profile that the next connection is made on."""
        return self._configuration.integer("SecurityProfile")

    @property
    def mark(self) -> tuple[object, ...]:
        """What is another one whenever ``memo`` is."""
        return (
            self.password if self._has_new_key else None,
            self._previous,
            self.roots.installed,
            self.own.identity,
            self.own.pending,
        )

    def memo(self) -> dict[str, Any]:
        """Return the secrets, JSON-ready; SecurityProfile is one of the configuration."""
        key = self.password if self._has_new_key else None
        return {
            "key": key.hex() if key is not None else None,
            "previousProfile": self._previous,
            "roots": [
                {"kind": one.kind, "pem": pem_of(one.certificate), "fallback": one.is_fallback}
                for one in self.roots.installed
            ],
            "own": self.own.memo(),
        }

    def recall(self, memo: Mapping[str, Any]) -> None:
        """Have what ``memo`` holds; an AuthorizationKey that was changed counts, not the first."""
        if memo["key"] is not None:
            self.password, self._has_new_key = bytes.fromhex(memo["key"]), True
        self._previous = memo["previousProfile"]
        self.roots.recall(
            [
                Root(
                    kind=one["kind"],
                    certificate=read_chain(one["pem"])[0],
                    is_fallback=one["fallback"],
                )
                for one in memo["roots"]
            ]
        )
        self.own.recall(memo["own"])

    # What a connection is opened with

    @property
    def url(self) -> str:
        """The URL that the profile connects to."""
        settings = self._settings
        if self.profile not in TLS_PROFILES or settings.endpoint.startswith("wss:"):
            return settings.endpoint
        if settings.secure_url is not None:
            return f"{settings.secure_url.rstrip('/')}/{quote(settings.identity, safe='')}"
        return "wss:" + settings.endpoint.removeprefix("ws:")

    def headers(self) -> dict[str, str | None]:
        """Return the headers that prove who the charge point is."""
        if self.password is None or self.profile not in BASIC_PROFILES:
            return {}
        return {"Authorization": basic(self._settings.identity, self.password)}

    def context(self) -> ssl.SSLContext | None:
        """Return what checks the server and shows the own certificate; None is the system's way.

        Installed roots are trusted beside the authority of the settings; once there are any, the
        system's own store is not.
        """
        given = self._settings.tls
        roots = self.roots.of(CENTRAL, fallback=self._uses_fallback_root)
        identity = self.own.identity if self.profile == WITH_CERTIFICATE else None
        if not roots and identity is None:
            return given
        context = ssl.SSLContext(ssl.PROTOCOL_TLS_CLIENT)
        context.minimum_version = ssl.TLSVersion.TLSv1_2
        # A root that replaces another one is signed by that, and trusted all the same.
        context.verify_flags |= ssl.VERIFY_X509_PARTIAL_CHAIN
        if given is not None:
            context.check_hostname = given.check_hostname
            context.verify_mode = given.verify_mode
        elif not roots:
            context.load_default_certs()
        for der in self._known_authorities(fallback=self._uses_fallback_root):
            context.load_verify_locations(cadata=der)
        if identity is not None:
            identity.load_into(context)
        return context

    def file_context(self) -> ssl.SSLContext:
        """Return what checks servers of files: the system's authorities and all that are known."""
        given = self._settings.tls
        context = ssl.create_default_context()
        if given is not None:
            context.check_hostname = given.check_hostname
            context.verify_mode = given.verify_mode
        for der in self._known_authorities():
            context.load_verify_locations(cadata=der)
        return context

    def _known_authorities(self, *, fallback: bool = False) -> list[bytes]:
        given = self._settings.tls
        known = given.get_ca_certs(binary_form=True) if given is not None else []
        roots = self.roots.of(CENTRAL, fallback=fallback)
        return known + [one.public_bytes(serialization.Encoding.DER) for one in roots]

    # What came of it

    def connected(self) -> None:
        """Keep what has worked: the new profile, the new root."""
        self._failures = 0
        self._previous = None
        self._noted.clear()
        if self._uses_fallback_root:
            self._uses_fallback_root = False
        elif self.profile in TLS_PROFILES:
            self.roots.confirm()

    def failed(self, error: Exception, status: int | None = None) -> None:
        """Note a connection that was not made, and fall back where there is something to.

        Args:
            error: why.
            status: the HTTP status that refused it.
        """
        if status in (401, 403):
            self._note("FailedToAuthenticateAtCentralSystem", f"HTTP {status}")
        if isinstance(error, ssl.SSLCertVerificationError):
            self._note("InvalidCentralSystemCertificate", error.verify_message)
            self._note("CentralSystemFailedToAuthenticate", error.verify_message)
            has_fallback = bool(self.roots.of(CENTRAL, fallback=True))
            self._uses_fallback_root = has_fallback and not self._uses_fallback_root
        elif isinstance(error, ssl.SSLError) and error.reason in TLS_REASONS:
            self._note(TLS_REASONS[error.reason], error.reason)
        if self._previous is None:
            return
        self._failures += 1
        if self._failures >= self._settings.profile_attempts:
            self._configuration.override("SecurityProfile", str(self._previous))
            self._emit("fell_back", profile=self._previous)
            self._previous = None

    def _note(self, kind: str, why: str) -> None:
        """Record a failure once, however often it is met before a connection is made."""
        if (kind, why) not in self._noted:
            self._noted.add((kind, why))
            self._log.record(kind, why)

    # What the central system asks for

    def judge_profile(self, value: str) -> ChangeStatus:
        """Return what a wish for another SecurityProfile gets: upwards only, and well prepared."""
        status = self._configuration.judge("SecurityProfile", value)
        if status not in ("Accepted", "RebootRequired"):
            return status
        wanted = int(value)
        knows_server = bool(self.roots.of(CENTRAL)) or self._settings.tls is not None
        lacks = (
            wanted < self.profile
            or (wanted in (1, 2) and self.password is None)
            or (wanted in TLS_PROFILES and not knows_server)
            or (wanted == WITH_CERTIFICATE and self.own.identity is None)
        )
        return "Rejected" if lacks else status

    def raise_profile(self, value: str) -> bool:
        """Connect on another profile from now on; tell whether it is another one.

        The one before is kept until the first connection on the new one.
        """
        before, wanted = self.profile, int(value)
        if wanted == before:
            return False
        self._previous, self._failures = before, 0
        self._configuration.override("SecurityProfile", value)
        self._log.record("ReconfigurationOfSecurityParameters", f"SecurityProfile {value}")
        return True

    def change_key(self, value: str) -> None:
        """Log in with a new AuthorizationKey from now on; ``value`` is its hex form."""
        self.password = bytes.fromhex(value)
        self._has_new_key = True
        self._log.record("ReconfigurationOfSecurityParameters", "AuthorizationKey")

    def install_root(self, kind: RootKind, pem: str) -> InstallStatus:
        """Carry out InstallCertificate and return its status."""
        status = self.roots.install(kind, pem, self._clock.now())
        if status == "Accepted":
            self._log.record("ReconfigurationOfSecurityParameters", f"installed {kind}")
        elif kind == CENTRAL:
            self._log.record("InvalidCentralSystemCertificate", f"InstallCertificate {status}")
        return status

    def delete_root(self, wanted: Mapping[str, Any]) -> str:
        """Carry out DeleteCertificate and return its status; the last root in use stays."""
        root = self.roots.find(wanted)
        if root is None:
            return "NotFound"
        in_use = root.kind == CENTRAL and self.profile in TLS_PROFILES
        if in_use and len(self.roots.of(CENTRAL)) == 1 and self._settings.tls is None:
            return "Failed"
        self.roots.delete(root)
        self._log.record("ReconfigurationOfSecurityParameters", f"deleted {root.kind}")
        return "Accepted"

    def take_signed(self, pem: str) -> bool:
        """Carry out CertificateSigned; tell whether the certificate is in use from now on."""
        try:
            if len(pem) > self._configuration.integer("CertificateSignedMaxChainSize"):
                msg = "the chain is too long"
                raise CertificateError(msg)
            self.own.accept(pem, self.roots.of(CENTRAL), self._clock.now())
        except CertificateError as error:
            self._log.record("InvalidChargePointCertificate", str(error))
            return False
        self._log.record("ReconfigurationOfSecurityParameters", "charge point's certificate")
        return True
