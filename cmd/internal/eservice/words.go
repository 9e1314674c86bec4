package eservice

import (
	"net/http"

	"golang.org/x/text/language"
)

// languages in the order of the switch. The first of preferred is for readers who ask for none of them.
var (
	languages = []string{"be", "ru", "en"}
	preferred = []language.Tag{language.Russian, language.MustParse("be"), language.English}
	matcher   = language.NewMatcher(preferred)
)

// readerLanguage is the reader's: as switched to on this page, as switched to before, as the browser asks, Russian.
func (s *service) readerLanguage(r *http.Request) string {
	if chosen := r.URL.Query().Get("lang"); words[chosen] != nil {
		return chosen
	}
	if cookie, err := r.Cookie(s.cookieName("language")); err == nil && words[cookie.Value] != nil {
		return cookie.Value
	}
	_, i := language.MatchStrings(matcher, r.Header.Get("Accept-Language"))
	return preferred[i].String()
}

// words is every text of the page.
var words = map[string]map[string]string{
	"be": {
		"title":       "Прыклад электроннай паслугі",
		"language":    "Мова",
		"lead":        "Гэтая паслуга нічога пра вас не ведае, пакуль вы не ўвойдзеце",
		"intro":       "Вы ўвойдзеце праз Адзіны ўваход і самі ўбачыце, якія звесткі перадаюцца. Пароль застаецца там: паслуга яго не атрымлівае.",
		"sign_in":     "Увайсці",
		"sign_out":    "Выйсці",
		"hello":       "Вы ўвайшлі",
		"cabinet":     "Асабісты кабінет",
		"security":    "Бяспека",
		"json":        "Тое самае ў JSON",
		"profile":     "Звесткі з кабінета",
		"profile_by":  "Паслуга спытала іх у кабінета з токенам доступу — проста цяпер.",
		"userinfo":    "Звесткі ад Адзінага ўваходу",
		"userinfo_by": "Тое, што вы бачылі на старонцы згоды: адказ userinfo.",
		"claims":      "Сам уваход",
		"claims_by":   "ID-токен: хто, калі і наколькі надзейна ўвайшоў.",
		"over":        "Токен доступу дзейнічае пяць хвілін, і яны прайшлі.",
		"again":       "Абнавіць звесткі",

		"state_not_activated": "Кабінет пакуль не актываваны",
		"state_activated":     "Кабінет актываваны",
		"state_deactivated":   "Кабінет дэактываваны",

		"wrong":            "Не атрымалася",
		"provider_down":    "Адзіны ўваход цяпер не адказвае. Паспрабуйце праз хвіліну.",
		"provider_refused": "Адзіны ўваход не завяршыў уваход. Пачніце нанова; калі паўторыцца — звярніцеся ў падтрымку.",
		"not_begun_here":   "Гэты ўваход пачаўся ў іншым браўзеры, ужо скарыстаны або заняў занадта шмат часу. Пачніце нанова.",
		"declined":         "Вы не пагадзіліся перадаць звесткі. Нічога не перададзена.",
		"ended":            "Ваш уваход скончаны: вы выйшлі ў іншым месцы, змянілі пароль або заблакіравалі ідэнтыфікатар.",
		"cabinet_down":     "Кабінет цяпер не адказвае. Абнавіце старонку праз хвіліну.",
		"unexpected":       "Нешта пайшло не так у нас. Паспрабуйце яшчэ раз.",

		"claim_sub":                   "унікальны ідэнтыфікатар грамадзяніна",
		"claim_iss":                   "хто засведчыў",
		"claim_aud":                   "для каго",
		"claim_exp":                   "дзейнічае да",
		"claim_iat":                   "калі выдадзены",
		"claim_auth_time":             "калі чалавек сам увайшоў",
		"claim_acr":                   "узровень: low — пароль, substantial — пароль і код",
		"claim_amr":                   "чым пацверджана",
		"claim_sid":                   "сеанс браўзера ў Адзіным уваходзе",
		"claim_nonce":                 "адказ на наш запыт, а не на чужы",
		"claim_at_hash":               "звязвае з токенам доступу",
		"claim_name":                  "імя цалкам",
		"claim_family_name":           "прозвішча",
		"claim_given_name":            "уласнае імя",
		"claim_middle_name":           "імя па бацьку",
		"claim_gender":                "пол",
		"claim_birthdate":             "дата нараджэння, наколькі вядома",
		"claim_updated_at":            "калі змяняліся звесткі",
		"claim_phone_number":          "тэлефон",
		"claim_phone_number_verified": "тэлефон пацверджаны кодам",
		"claim_birth_date":            "дата нараджэння, наколькі вядома",
		"claim_citizenship":           "грамадзянства",
		"claim_sex":                   "пол",
		"claim_state":                 "стан кабінета",
		"claim_state_at":              "з якога часу",
	},
	"ru": {
		"title":       "Пример электронной услуги",
		"language":    "Язык",
		"lead":        "Эта услуга ничего о вас не знает, пока вы не войдёте",
		"intro":       "Вы войдёте через Единый вход и сами увидите, какие сведения передаются. Пароль остаётся там: услуга его не получает.",
		"sign_in":     "Войти",
		"sign_out":    "Выйти",
		"hello":       "Вы вошли",
		"cabinet":     "Личный кабинет",
		"security":    "Безопасность",
		"json":        "То же самое в JSON",
		"profile":     "Сведения из кабинета",
		"profile_by":  "Услуга спросила их у кабинета с токеном доступа — прямо сейчас.",
		"userinfo":    "Сведения от Единого входа",
		"userinfo_by": "То, что вы видели на странице согласия: ответ userinfo.",
		"claims":      "Сам вход",
		"claims_by":   "ID-токен: кто, когда и насколько надёжно вошёл.",
		"over":        "Токен доступа действует пять минут, и они прошли.",
		"again":       "Обновить сведения",

		"state_not_activated": "Кабинет пока не активирован",
		"state_activated":     "Кабинет активирован",
		"state_deactivated":   "Кабинет деактивирован",

		"wrong":            "Не получилось",
		"provider_down":    "Единый вход сейчас не отвечает. Попробуйте через минуту.",
		"provider_refused": "Единый вход не завершил вход. Начните заново; если повторится — обратитесь в поддержку.",
		"not_begun_here":   "Этот вход начат в другом браузере, уже использован или занял слишком много времени. Начните заново.",
		"declined":         "Вы не согласились передать сведения. Ничего не передано.",
		"ended":            "Ваш вход окончен: вы вышли в другом месте, сменили пароль или заблокировали идентификатор.",
		"cabinet_down":     "Кабинет сейчас не отвечает. Обновите страницу через минуту.",
		"unexpected":       "Что-то пошло не так у нас. Попробуйте ещё раз.",

		"claim_sub":                   "уникальный идентификатор гражданина",
		"claim_iss":                   "кто засвидетельствовал",
		"claim_aud":                   "для кого",
		"claim_exp":                   "действует до",
		"claim_iat":                   "когда выдан",
		"claim_auth_time":             "когда человек сам вошёл",
		"claim_acr":                   "уровень: low — пароль, substantial — пароль и код",
		"claim_amr":                   "чем подтверждено",
		"claim_sid":                   "сеанс браузера в Едином входе",
		"claim_nonce":                 "ответ на наш запрос, а не на чужой",
		"claim_at_hash":               "связывает с токеном доступа",
		"claim_name":                  "имя полностью",
		"claim_family_name":           "фамилия",
		"claim_given_name":            "собственное имя",
		"claim_middle_name":           "отчество",
		"claim_gender":                "пол",
		"claim_birthdate":             "дата рождения, насколько известна",
		"claim_updated_at":            "когда менялись сведения",
		"claim_phone_number":          "телефон",
		"claim_phone_number_verified": "телефон подтверждён кодом",
		"claim_birth_date":            "дата рождения, насколько известна",
		"claim_citizenship":           "гражданство",
		"claim_sex":                   "пол",
		"claim_state":                 "состояние кабинета",
		"claim_state_at":              "с какого времени",
	},
	"en": {
		"title":       "Sample e-service",
		"language":    "Language",
		"lead":        "This service knows nothing about you until you sign in",
		"intro":       "You sign in through the single sign-in and see yourself what is passed on. Your password stays there: the service never gets it.",
		"sign_in":     "Sign in",
		"sign_out":    "Sign out",
		"hello":       "You are signed in",
		"cabinet":     "Personal cabinet",
		"security":    "Security",
		"json":        "The same as JSON",
		"profile":     "From the cabinet",
		"profile_by":  "The service has asked the cabinet for it with the access token, just now.",
		"userinfo":    "From the single sign-in",
		"userinfo_by": "What you saw on the consent page: the answer of userinfo.",
		"claims":      "The sign-in itself",
		"claims_by":   "The ID token: who signed in, when, and how surely.",
		"over":        "An access token is good for five minutes, and they are over.",
		"again":       "Refresh",

		"state_not_activated": "The cabinet is not activated yet",
		"state_activated":     "The cabinet is activated",
		"state_deactivated":   "The cabinet is deactivated",

		"wrong":            "It did not work",
		"provider_down":    "The single sign-in does not answer just now. Try again in a minute.",
		"provider_refused": "The single sign-in did not complete the sign-in. Begin again; if it happens again, ask support.",
		"not_begun_here":   "This sign-in was begun in another browser, has been used, or took too long. Begin again.",
		"declined":         "You chose not to pass your details on. Nothing was passed on.",
		"ended":            "Your sign-in has ended: you signed out elsewhere, changed the password, or blocked the identifier.",
		"cabinet_down":     "The cabinet does not answer just now. Reload the page in a minute.",
		"unexpected":       "Something went wrong on our side. Please try again.",

		"claim_sub":                   "the citizen's unique identifier",
		"claim_iss":                   "who vouches",
		"claim_aud":                   "for whom",
		"claim_exp":                   "good till",
		"claim_iat":                   "issued at",
		"claim_auth_time":             "when the person last signed in",
		"claim_acr":                   "level: low is a password, substantial a password and a code",
		"claim_amr":                   "proved by",
		"claim_sid":                   "the browser's session at the single sign-in",
		"claim_nonce":                 "the answer to our request and nobody else's",
		"claim_at_hash":               "ties it to the access token",
		"claim_name":                  "full name",
		"claim_family_name":           "family name",
		"claim_given_name":            "given name",
		"claim_middle_name":           "middle name",
		"claim_gender":                "sex",
		"claim_birthdate":             "birth date, as far as it is known",
		"claim_updated_at":            "when the details last changed",
		"claim_phone_number":          "phone",
		"claim_phone_number_verified": "the phone was proved by a code",
		"claim_birth_date":            "birth date, as far as it is known",
		"claim_citizenship":           "citizenship",
		"claim_sex":                   "sex",
		"claim_state":                 "the cabinet's state",
		"claim_state_at":              "since when",
	},
}
