"""What kinds of value a key of agent.toml may have."""

from typing import Annotated

import msgspec

Name = Annotated[str, msgspec.Meta(pattern=r"^[a-z0-9-]{1,32}$")]
DeviceLabel = Annotated[str, msgspec.Meta(pattern=r"^[A-Za-z0-9._-]{1,64}$")]
Label = Annotated[str, msgspec.Meta(min_length=1, max_length=64)]
Text = Annotated[str, msgspec.Meta(min_length=1, max_length=1024)]
TcpPort = Annotated[int, msgspec.Meta(ge=1, le=65535)]
Baud = Annotated[int, msgspec.Meta(ge=300, le=4_000_000)]
Positive = Annotated[float, msgspec.Meta(gt=0)]
NotNegative = Annotated[float, msgspec.Meta(ge=0)]
AntennaRef = Annotated[str, msgspec.Meta(pattern=r"^[A-Za-z0-9._-]{1,64}:[0-9]{1,3}$")]
PhotoEyeRef = Annotated[str, msgspec.Meta(pattern=r"^[A-Za-z0-9._-]{1,64}:gpi[0-9]{1,2}$")]
