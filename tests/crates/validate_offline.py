"""Run rocrate-validator on a crate without a network: `python validate_offline.py CRATE CONTEXT`.

The address of the RO-Crate context is answered with the copy that the library rocrate brings.
"""

import sys
from pathlib import Path

import requests
from rocrate_validator import models, services
from rocrate_validator.utils.http import HttpRequester

crate, context = map(Path, sys.argv[1:])


def answer(self: HttpRequester, url: str, *arguments: object, **options: object) -> requests.Response:
    response = requests.Response()
    response.url, response.status_code = url, 200 if url.startswith("https://w3id.org/ro/crate/") else 404
    response._content = context.read_bytes() if response.status_code == 200 else b""
    response.headers["Content-Type"] = "application/ld+json"
    return response


HttpRequester.get = HttpRequester.head = answer
settings = services.ValidationSettings(
    rocrate_uri=str(crate), profile_identifier="process-run-crate", requirement_severity=models.Severity.REQUIRED
)
result = services.validate(settings)
for issue in result.get_issues():
    print(issue.severity.name, issue.check.identifier, issue.message)
sys.exit(not result.passed())
