"""Who may do what: users, sessions, first login, roles, the audit trail."""
