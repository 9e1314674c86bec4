package clients

// ParseKeys reads what strangers publish.
var ParseKeys = parseKeys
