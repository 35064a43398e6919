"""The dashboard: shows a formation live and passes on what a person asks. Talks to the engine only through core's
client API."""
