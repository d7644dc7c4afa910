"""`python -m tynysh.api`: the API's description as JSON, from which the console's types are generated."""

import json
import sys
from pathlib import Path

from tynysh.api.app import create_app
from tynysh.api.openapi import described
from tynysh.bus.sockets import SocketBus
from tynysh.bus.workers import Workers
from tynysh.store.database import Database

database = Database.open(":memory:")
app = create_app(database, workers=Workers(SocketBus(Path())), data_dir=Path())
json.dump(described(app), sys.stdout, indent=2)
