/** The passwords that guessing starts with, English and Dutch, in lower case; compared also without digits at the end. */
export const commonPasswords: ReadonlySet<string> = new Set(
  `password passw0rd p@ssw0rd wachtwoord wachtwoord1 welkom welkom01 welkom123 welcome geheim geheimpje qwerty qwertyuiop qwerty123 azerty
  asdfghjkl zxcvbnm 12345678 123456789 1234567890 87654321 11111111 00000000 abcdefgh abcd1234 abc12345 a1b2c3d4 1q2w3e4r 1qaz2wsx q1w2e3r4
  iloveyou ikhouvanjou sunshine princess football voetbal feyenoord ajax amsterdam rotterdam eindhoven nederland holland utrecht denhaag
  letmein monkey dragon baseball superman batman trustno1 master shadow michael jennifer jordan michelle computer internet samsung
  whatever starwars pokemon charlie liverpool arsenal chelsea chocolate chocolade zomer zomer2024 zomer2025 zomer2026 winter winter2024
  winter2025 winter2026 lente lente2026 herfst herfst2026 januari februari maart april augustus september oktober november december
  maandag dinsdag woensdag donderdag vrijdag zaterdag zondag bedrijf fabriek productie magazijn werkvloer werkplaats operator beheerder
  administrator admin1234 adminadmin beheer beheer01 changeme default test1234 testtest tester123 demo1234 guest1234 gast1234 root1234
  koekjes appeltaart kaas kaaskop fiets fietsbel hallo hallo123 hallohallo hoi12345 doei1234 lekker lekkerding schatje liefje mamapapa
  papa1234 mama1234 kaboutertje sinterklaas kerstman kerstmis oranje oranje1234 willemalexander maxima naampje mijnnaam inloggen
  toegang toegang01 sleutel sesamopenu opensesame passwort motdepasse contrasena asdf1234 zaq12wsx qazwsxedc poiuytrewq
  mustang ferrari porsche mercedes volkswagen harley yamaha matrix freedom ninja hunter ranger soccer hockey tennis killer
  qwer1234 1234qwer asdfasdf 123123123 12341234 987654321 147258369 123654789 22222222 33333333 44444444 55555555 66666666 77777777 88888888
  99999999 p455w0rd passwoord haarlem arnhem nijmegen tilburg breda maastricht zwolle enschede groningen psveindhoven daniel thomas robert
  william jessica ashley andrew joshua machine monteur lasser kantoor lovelove blink182 cheese internet1 terminal kiosk
  pepper ginger summer flower lovely cookie banana orange purple silver golden secret secret123 security service support manager`
    .split(/\s+/)
    .filter(word => word !== '')
)
