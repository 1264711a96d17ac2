"""The operator API over HTTP: resources, live sessions, OpenAPI; the contract is `api.md`."""
