// The centre of a phone network, in memory of what it has taken: node network.mjs PORT JOURNAL. It speaks SMPP 3.4 and brings
// a receipt of each message. A line of the journal is a message that has come, or the id of one whose receipt was taken.
// While there is a file JOURNAL.hold it takes nothing.
import { appendFileSync, existsSync, readFileSync } from 'node:fs'
import { setTimeout } from 'node:timers/promises'
import smpp from 'smpp'

const [port, journal] = process.argv.slice(2)
const taken = new Map() // messages whose receipts are still to be brought, by id
let last = 0
for (const line of existsSync(journal) ? readFileSync(journal, 'utf8').split('\n').filter(Boolean) : []) {
	const { id, told } = JSON.parse(line)
	if (told) taken.delete(told)
	else taken.set(id, JSON.parse(line))
	last = Math.max(last, id ?? 0)
}
const write = entry => appendFileSync(journal, JSON.stringify(entry) + '\n')

smpp.createServer(session => {
	const tell = ({ id, from, to }) => session.deliver_sm({
		source_addr: to, destination_addr: from, esm_class: smpp.ESM_CLASS.MC_DELIVERY_RECEIPT,
		short_message: `id:${id} sub:001 dlvrd:001 submit date:2611251200 done date:2611251200 stat:DELIVRD err:000 text:`,
	}, () => {
		write({ told: id })
		taken.delete(id)
	})
	let open = true
	session.on('close', () => { open = false })
	session.on('error', () => {}) // who hung up binds again
	session.on('bind_transceiver', pdu => {
		session.send(pdu.response())
		taken.forEach(tell)
	})
	session.on('enquire_link', pdu => session.send(pdu.response()))
	session.on('unbind', pdu => session.send(pdu.response()))
	session.on('submit_sm', async pdu => {
		while (existsSync(journal + '.hold')) await setTimeout(10)
		if (!open) return // not taken: its sender will send it again
		const message = {
			id: ++last, from: pdu.source_addr, to: pdu.destination_addr, text: pdu.short_message.message,
			coding: pdu.data_coding, parts: pdu.short_message.udh || pdu.sar_total_segments ? 2 : 1,
		}
		write(message)
		taken.set(message.id, message)
		session.send(pdu.response({ message_id: String(message.id) }))
		tell(message)
	})
}).listen(Number(port), '127.0.0.1')
