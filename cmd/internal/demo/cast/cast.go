// Package cast is the made-up people of the demo: what their documents, phones and the population register say of them.
//
// Nobody real can be met here: an identification number carries a birth date, and all of these are of the nineteenth
// century, a hundred years before their holders' own; the phones are of an operator that is closed; the series of the
// documents is not in use. The last two are specimens, made up even here: their numbers begin with 0, and they sign in at
// e-services that are tried out, and at no other.
package cast

import (
	"fmt"
	"slices"
	"strings"
)

// A Person is made up.
type Person struct {
	Key                  string // names the person in addresses and words, where the identification number must not stand
	IdentificationNumber string
	Family               string
	Given                string
	Middle               string
	Document             Document
	DocumentLost         bool   // as its register knows; the person shows it all the same
	Phone                string // E.164
	Goal                 Goal
	Role                 Role

	Sex         string // F, M
	BirthDate   string // with as much as is known
	Citizenship string // ISO 3166-1 alpha-2, or stateless
	Before      Facts  // in the register's first edition
	Since       Facts  // in the second, a month later
}

// Specimen tells that the person is made up even here, by the number.
func (p Person) Specimen() bool { return strings.HasPrefix(p.IdentificationNumber, "0") }

// A Document is what the person shows at the desk.
type Document struct {
	Kind      string
	Number    string
	ValidTill string
}

// Facts are what a register may say that changes what a person may do; each is a date, or "" where it does not hold.
type Facts struct {
	Death, Missing, Incapable, Limited string
}

// A Goal is how far somebody's identifier is brought before testers come.
type Goal string

// Goals.
const (
	New           Goal = "new"             // no identifier: theirs is for the tester to issue
	Temporary     Goal = "temporary"       // with a temporary password on the phone
	Active        Goal = "active"          // with a static password
	BlockedBySelf Goal = "blocked_self"    // was active, blocked it on the pages
	BlockedByDesk Goal = "blocked_by_desk" // was active, had it blocked at the desk
)

// A Role is what somebody is of the staff, as idp clerk add names it; "" is of none.
type Role string

// Roles.
const (
	AtDesk     Role = "clerk"
	Supervisor Role = "supervisor" // serves at the desk as well
	Operator   Role = "operator"
	Auditor    Role = "auditor"
)

// Office is where the person of the staff works.
func (p Person) Office() string {
	if p.AtDesk() {
		return Office
	}
	return "Centre"
}

// AtDesk tells that the person serves people at the desk.
func (p Person) AtDesk() bool { return p.Role == AtDesk || p.Role == Supervisor }

// Static tells whether somebody with this goal has formed a static password.
func (g Goal) Static() bool { return g != New && g != Temporary }

// Password is the static password of everybody who has formed one. A demo need not have a secret of each.
const Password = "vasilki-u-zhyce"

// Office is the desk where the demo's clerks work.
const Office = "Minsk-1"

const (
	passport        = "passport"
	residencePermit = "residence_permit"
	validTill       = "2035-12-31"
)

// people in the order of the workbench.
var people = []Person{
	{
		Key: "hanna", IdentificationNumber: "2140584A001PB7", Family: "Ярошевич", Given: "Анна", Middle: "Игоревна",
		Document: Document{passport, "ZZ0000001", validTill}, Phone: "+375294000001", Goal: Active, Role: AtDesk,
		Sex: "F", BirthDate: "1984-05-14", Citizenship: "BY",
	},
	{
		Key: "piatro", IdentificationNumber: "1020379A002PB6", Family: "Лозовик", Given: "Пётр", Middle: "Андреевич",
		Document: Document{passport, "ZZ0000002", validTill}, Phone: "+375294000002", Goal: Active, Role: Supervisor,
		Sex: "M", BirthDate: "1979-03-02", Citizenship: "BY",
	},
	{
		Key: "maryna", IdentificationNumber: "2120485A021PB3", Family: "Ялинская", Given: "Марина", Middle: "Павловна",
		Document: Document{passport, "ZZ0000021", validTill}, Phone: "+375294000021", Goal: Active,
		Sex: "F", BirthDate: "1985-04-12", Citizenship: "BY",
	},
	{
		Key: "siarhei", IdentificationNumber: "1250990M022PB2", Family: "Дубровский", Given: "Сергей", Middle: "Николаевич",
		Document: Document{passport, "ZZ0000022", validTill}, Phone: "+375294000022", Goal: Active,
		Sex: "M", BirthDate: "1990-09-25", Citizenship: "BY",
	},
	{
		Key: "nadzeja", IdentificationNumber: "2080366B023PB7", Family: "Вербицкая", Given: "Надежда", Middle: "Степановна",
		Document: Document{passport, "ZZ0000023", validTill}, Phone: "+375294000023", Goal: Temporary,
		Sex: "F", BirthDate: "1966-03-08", Citizenship: "BY",
	},
	{
		Key: "mikita", IdentificationNumber: "1070299E014PB5", Family: "Березовик", Given: "Никита", Middle: "Олегович",
		Document: Document{passport, "ZZ0000014", validTill}, Phone: "+375294000014", Goal: Temporary,
		Sex: "M", BirthDate: "1999-02-07", Citizenship: "BY",
	},
	{
		Key: "alena", IdentificationNumber: "2230691A011PB9", Family: "Калиновская", Given: "Елена", Middle: "Викторовна",
		Document: Document{passport, "ZZ0000011", validTill}, Phone: "+375294000011", Goal: New,
		Sex: "F", BirthDate: "1991-06-23", Citizenship: "BY",
	},
	{
		Key: "jakub", IdentificationNumber: "1111187B012PB6", Family: "Ольховик", Given: "Якуб", Middle: "Янович",
		Document: Document{passport, "ZZ0000012", validTill}, Phone: "+375294000012", Goal: New,
		Sex: "M", BirthDate: "1987-11-11", Citizenship: "BY",
	},
	{
		Key: "stefania", IdentificationNumber: "2300895C013PB5", Family: "Рябинина", Given: "Стефания", Middle: "Марковна",
		Document: Document{passport, "ZZ0000013", validTill}, Phone: "+375294000013", Goal: New,
		Sex: "F", BirthDate: "1995-08-30", Citizenship: "BY",
	},
	{
		Key: "ihar", IdentificationNumber: "1170182C031PB4", Family: "Ясеневич", Given: "Игорь", Middle: "Леонидович",
		Document: Document{passport, "ZZ0000031", validTill}, Phone: "+375294000031", Goal: BlockedBySelf,
		Sex: "M", BirthDate: "1982-01-17", Citizenship: "BY",
	},
	{
		Key: "taisa", IdentificationNumber: "2051076E032PB6", Family: "Клёнова", Given: "Таисия", Middle: "Фёдоровна",
		Document: Document{passport, "ZZ0000032", validTill}, Phone: "+375294000032", Goal: BlockedByDesk,
		Sex: "F", BirthDate: "1976-10-05", Citizenship: "BY",
	},
	{
		Key: "stanislau", IdentificationNumber: "1090149H041PB0", Family: "Липский", Given: "Станислав", Middle: "Казимирович",
		Document: Document{passport, "ZZ0000041", validTill}, Phone: "+375294000041", Goal: Active,
		Sex: "M", BirthDate: "1949-01-09", Citizenship: "BY", Since: Facts{Death: "2025-02-03"},
	},
	{
		Key: "viktar", IdentificationNumber: "1220688K042PB3", Family: "Осинский", Given: "Виктор", Middle: "Романович",
		Document: Document{passport, "ZZ0000042", validTill}, Phone: "+375294000042", Goal: New,
		Sex: "M", BirthDate: "1988-06-22", Citizenship: "BY", Before: Facts{Missing: "2024-11-18"},
	},
	{
		Key: "kaciaryna", IdentificationNumber: "2130597M043PB8", Family: "Ивицкая", Given: "Екатерина", Middle: "Антоновна",
		Document: Document{passport, "ZZ0000043", validTill}, Phone: "+375294000043", Goal: Active,
		Sex: "F", BirthDate: "1997-05-13", Citizenship: "BY", Before: Facts{Limited: "2024-06-17"}, Since: Facts{Incapable: "2025-02-12"},
	},
	{
		Key: "tomasz", IdentificationNumber: "1160386A051BA4", Family: "Новак", Given: "Томаш",
		Document: Document{residencePermit, "ZZ0000051", validTill}, Phone: "+375294000051", Goal: Active,
		Sex: "M", BirthDate: "1986-03-16", Citizenship: "PL",
	},
	{
		Key: "amina", IdentificationNumber: "2041292B052BI5", Family: "Саид", Given: "Амина",
		Document: Document{residencePermit, "ZZ0000052", validTill}, Phone: "+375294000052", Goal: Active,
		Sex: "F", BirthDate: "1992-12-04", Citizenship: "stateless",
	},
	{
		Key: "zoja", IdentificationNumber: "2150914A053PB4", Family: "Лещинская", Given: "Зоя", Middle: "Денисовна",
		Document: Document{passport, "ZZ0000053", validTill}, Phone: "+375294000053", Goal: New,
		Sex: "F", BirthDate: "2014-09-15", Citizenship: "BY",
	},
	{
		Key: "lavon", IdentificationNumber: "1140290A055PB1", Family: "Журавский", Given: "Леон", Middle: "Витальевич",
		Document: Document{passport, "ZZ0000055", validTill}, DocumentLost: true, Phone: "+375294000055", Goal: New,
		Sex: "M", BirthDate: "1990-02-14", Citizenship: "BY",
	},
	{
		Key: "yan", IdentificationNumber: "1000356C054PB8", Family: "Грабович", Given: "Иван", Middle: "Иванович",
		Document: Document{passport, "ZZ0000054", validTill}, Phone: "+375294000054", Goal: Active,
		Sex: "M", BirthDate: "1956-03", Citizenship: "BY",
	},
	{
		Key: "raisa", IdentificationNumber: "2190577A071PB1", Family: "Боровая", Given: "Раиса", Middle: "Тимофеевна",
		Document: Document{passport, "ZZ0000071", validTill}, Phone: "+375294000071", Goal: Active, Role: Operator,
		Sex: "F", BirthDate: "1977-05-19", Citizenship: "BY",
	},
	{
		Key: "uladzimir", IdentificationNumber: "1030481A072PB4", Family: "Камышов", Given: "Владимир", Middle: "Эдуардович",
		Document: Document{passport, "ZZ0000072", validTill}, Phone: "+375294000072", Goal: Active, Role: Operator,
		Sex: "M", BirthDate: "1981-04-03", Citizenship: "BY",
	},
	{
		Key: "lidzija", IdentificationNumber: "2261172B073PB0", Family: "Заречная", Given: "Лидия", Middle: "Аркадьевна",
		Document: Document{passport, "ZZ0000073", validTill}, Phone: "+375294000073", Goal: Active, Role: Auditor,
		Sex: "F", BirthDate: "1972-11-26", Citizenship: "BY",
	},
	{
		Key: "volha", IdentificationNumber: "0000001A001PB2", Family: "Образцова", Given: "Ольга", Middle: "Петровна",
		Document: Document{passport, "ZZ0000061", validTill}, Phone: "+375294000061", Goal: Active,
		Sex: "F", BirthDate: "1980-01-01", Citizenship: "BY",
	},
	{
		Key: "aleh", IdentificationNumber: "0000002A002PB2", Family: "Образцов", Given: "Олег", Middle: "Петрович",
		Document: Document{passport, "ZZ0000062", validTill}, Phone: "+375294000062", Goal: Active,
		Sex: "M", BirthDate: "1980-01-01", Citizenship: "BY",
	},
}

// All is everybody.
func All() []Person { return slices.Clone(people) }

// Representatives are the identification numbers of the two who represent the demo's body.
func Representatives() []string {
	var numbers []string
	for _, key := range []string{"maryna", "siarhei"} {
		p, _ := Find(key)
		numbers = append(numbers, p.IdentificationNumber)
	}
	return numbers
}

// Staff is those who are of the staff.
func Staff() []Person {
	return slices.DeleteFunc(All(), func(p Person) bool { return p.Role == "" })
}

// Clerks is those who work at the desk.
func Clerks() []Person {
	return slices.DeleteFunc(All(), func(p Person) bool { return !p.AtDesk() })
}

// Application is the number of the person's written application at the office.
func (p Person) Application() string {
	return fmt.Sprintf("1-%d", 1+slices.IndexFunc(people, func(other Person) bool { return other.Key == p.Key }))
}

// Find gives a person by key.
func Find(key string) (Person, bool) {
	i := slices.IndexFunc(people, func(p Person) bool { return p.Key == key })
	if i < 0 {
		return Person{}, false
	}
	return people[i], true
}

// Name is the name as the document says it.
func (p Person) Name() string {
	name := p.Family + " " + p.Given
	if p.Middle != "" {
		name += " " + p.Middle
	}
	return name
}
