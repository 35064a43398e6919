"""Pictures of the dashboard, and the script that makes them."""
