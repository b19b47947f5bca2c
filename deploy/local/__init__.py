"""The run without containers: private parts and services as child processes of one launcher."""
