"""Incidents over HTTP: finding them, working on them, planning maintenance, setting thresholds."""

from fastapi import APIRouter

from hub.api.routes.incidents import listing, rules, windows, work

router = APIRouter()
for _part in (listing, work, windows, rules):
    router.include_router(_part.router)
