"""The workflow engine (docs/decisions/0036). A kind of workflow is a file in `services.kinds`."""
