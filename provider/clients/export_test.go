package clients

// ParseKeys reads what strangers publish, and Checked what they register.
var (
	ParseKeys = parseKeys
	Checked   = Metadata.checked
)
