"""Cross-origin requests of browser clients: listed origins only, the preflight without credentials."""

from __future__ import annotations

from flask import Flask, Response, request


def register(app: Flask, origins: tuple[str, ...]) -> None:
    """Answer preflights and mark answers for the listed origins."""

    @app.after_request
    def allow(response: Response) -> Response:
        origin = request.headers.get("Origin", "")
        if "*" not in origins:
            response.headers.add("Vary", "Origin")
        if origin and (origin in origins or "*" in origins):
            response.headers["Access-Control-Allow-Origin"] = "*" if "*" in origins else origin
            if request.method == "OPTIONS":
                response.headers["Access-Control-Allow-Methods"] = "GET, POST, OPTIONS"
                response.headers["Access-Control-Allow-Headers"] = "authorization, content-type"
                response.headers["Access-Control-Max-Age"] = "600"
        return response
