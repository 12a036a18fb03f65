package sqliteinbox

import "database/sql"

// DB returns the connection of the inbox.
func (x *Inbox) DB() *sql.DB { return x.db }
