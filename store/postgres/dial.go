package postgres

import (
	"net"
	"time"
)

// unheard is how long the other end of a connection may be silent on the network,
// or leave unacknowledged what was sent, before the connection is lost. A host that
// is gone, or a firewall that has forgotten the connection, says nothing; without
// this limit it would be taken for a server that thinks.
const unheard = 40 * time.Second

// dialer makes the connections to the databases.
var dialer = &net.Dialer{
	KeepAliveConfig: net.KeepAliveConfig{Enable: true, Idle: unheard / 4, Interval: unheard / 4, Count: 3},
	Control:         limitUnacknowledged,
}
