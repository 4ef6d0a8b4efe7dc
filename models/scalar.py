"""What a cell of a table, or a value of a context, holds."""

Scalar = float | int | str | bool | None
