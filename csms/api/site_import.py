"""Sites from a JSON document: for the command line, with the API's own models and rules."""

from __future__ import annotations

import orjson
from pydantic import ValidationError

from csms.api import problems
from csms.api.sites import PlainForm, SiteIn, SitePatch, Sites
from csms.errors import Invalid, NotFound
from csms.services.access import Principal


async def import_sites(sites: Sites, document: bytes, principal: Principal) -> list[str]:
    """Create or replace the sites of a document and return their ids.

    Args:
        sites: The resource that the API serves too.
        document: JSON: one site or a list of sites, each as POST /api/sites takes it or in the
            plain form of PUT /api/sites/{id}/config with its ``stationId``.
        principal: On whose behalf.

    Raises:
        Invalid: It is no JSON, or a site breaks the API's rules; `fields` says where.
    """
    try:
        parsed = orjson.loads(document)
    except ValueError as error:
        raise Invalid("invalid_document", f"The file is no JSON: {error}.") from error
    entries = parsed if isinstance(parsed, list) else [parsed]
    return [
        await _import(sites, entry, f"site {place}: " if len(entries) > 1 else "", principal)
        for place, entry in enumerate(entries, 1)
    ]


async def _import(sites: Sites, entry: object, where: str, principal: Principal) -> str:
    text = orjson.dumps(entry)
    try:
        if isinstance(entry, dict) and "gridCapacity" in entry:
            form = PlainForm.model_validate_json(text)
            if form.station_id is None:
                raise Invalid(
                    "invalid_document", f"{where}`stationId` names the site; it is missing."
                )
            return (await sites.configure_site(form.station_id, form, principal)).id
        body = SiteIn.model_validate_json(text)
        if body.id is None:
            raise Invalid("invalid_document", f"{where}`id` is missing.")
        try:
            await sites.get_site(body.id)
        except NotFound:
            return (await sites.create_site(body, principal)).id
        fields = (
            {name: value for name, value in entry.items() if name != "id"}
            if isinstance(entry, dict)
            else {}
        )
        patch = SitePatch.model_validate_json(orjson.dumps(fields))
        return (await sites.change_site(body.id, patch, principal)).id
    except ValidationError as error:
        refusal = problems.of_validation(error)
        raise Invalid("invalid_document", f"{where}{refusal.detail}", refusal.fields) from error
