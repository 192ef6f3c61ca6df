"""The pages for staff and residents, and the front end behind them."""
