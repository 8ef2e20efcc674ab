"""HealthChain's CDS Hooks service with one constant card; runs in an environment of its own."""

from __future__ import annotations

from healthchain.gateway import CDSHooksService, HealthChainAPI
from healthchain.models import Card, CDSRequest, CDSResponse
from healthchain.models.responses.cdsresponse import Source

service = CDSHooksService()


@service.hook("patient-view", id="vexas", title="Constant", description="Answers with one constant card")
def constant_card(_request: CDSRequest) -> CDSResponse:
    """One card, whatever was asked."""
    return CDSResponse(cards=[Card(summary="A constant card", indicator="info", source=Source(label="HealthChain"))])


app = HealthChainAPI()
app.register_service(service, path="/cds")
