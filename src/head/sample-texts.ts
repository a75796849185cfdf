/**
 * Texts to diagnose a model with when the user gives none: short sentences on everyday subjects, written for this in ten
 * languages, and pairs of them joined, 512 in all. Figures on them are a first look; texts of the own domain say more.
 */
import { Random } from '../util/random.ts';

/** Sentences by ISO 639-1 code. */
export const sampleSentences: Readonly<Record<string, readonly string[]>> = {
  en: [
    'The bakery on the corner sells rye bread and apple cake.',
    'How do I reset the password of my router?',
    'Heavy snow closed two mountain passes on Friday night.',
    'A sparse index keeps only the terms that matter for each document.',
    'She plays the cello in a small orchestra near the harbour.',
    'Symptoms of iron deficiency in adults',
    'The committee rejected the budget by a single vote.',
    'Cheap flights from Lisbon to Oslo in September',
    'Photosynthesis turns light, water and carbon dioxide into sugar.',
    'The tenant must give three months notice in writing.',
    'Electric cars lose range when the battery is cold.',
    'Our museum shows maps drawn by sailors of the sixteenth century.',
    'Interest rates rose again, and fewer families bought houses.',
    'Replace the filter every six months and clean the fan.',
    'Whales sing at frequencies that travel for hundreds of kilometres.',
    'The goalkeeper saved a penalty in the last minute of the match.',
    'What is the difference between a virus and a bacterium?',
    'Add the garlic last, so that it does not burn.',
    'The library opens at nine and closes at half past six.',
    'Compilers translate a program into instructions of the machine.',
    'Volcanic ash made the soil of the valley very fertile.',
    'He wrote letters to his brother during the whole war.',
  ],
  de: [
    'Die Straßenbahn fährt sonntags nur alle zwanzig Minuten.',
    'Wie beantrage ich einen neuen Reisepass?',
    'Im Garten blühen schon die ersten Krokusse.',
    'Das Gericht hob das Urteil wegen eines Formfehlers auf.',
    'Für den Teig braucht man Mehl, Hefe und lauwarme Milch.',
    'Der Stausee versorgt drei Städte mit Trinkwasser.',
    'Rückenschmerzen nach langem Sitzen',
    'Die Geige stammt aus einer Werkstatt in Mittenwald.',
    'Ein Satellit misst die Höhe des Meeresspiegels.',
    'Der Verein sucht Freiwillige für das Sommerfest.',
    'Die Heizung wird durch eine Wärmepumpe ersetzt.',
    'Gebrauchtes Fahrrad für Kinder ab sechs Jahren',
    'Die Ausgrabung brachte Münzen aus römischer Zeit ans Licht.',
    'Ohne Gegenstimme wurde die neue Satzung beschlossen.',
  ],
  fr: [
    'Le marché aux fleurs a lieu chaque samedi matin.',
    'Comment réparer une fuite sous l’évier ?',
    'La rivière a débordé après trois jours de pluie.',
    'Ce vin se garde au moins dix ans en cave.',
    'Les abeilles communiquent par une danse.',
    'Horaires des trains entre Lyon et Marseille',
    'La romancière a reçu un prix pour son premier livre.',
    'Le médecin recommande de marcher une demi-heure par jour.',
    'Un incendie a détruit le toit de l’ancienne gare.',
    'La municipalité réduit l’éclairage des rues la nuit.',
    'Il faut laisser reposer la pâte pendant une heure.',
    'Les taux de change varient d’un jour à l’autre.',
    'Location d’une maison au bord de la mer en juillet',
    'Le télescope observe des galaxies très lointaines.',
  ],
  es: [
    'El tren de cercanías llega con retraso por las obras.',
    '¿Cuánto tiempo se cuecen las lentejas?',
    'La sequía obliga a cerrar las fuentes de la ciudad.',
    'El pintor vivió casi toda su vida en Sevilla.',
    'Los murciélagos se orientan por el eco de sus gritos.',
    'Síntomas de la alergia al polen en niños',
    'El sindicato y la empresa firmaron un acuerdo.',
    'Hay que regar las tomateras por la mañana temprano.',
    'Una erupción cubrió de ceniza los campos de la isla.',
    'Se vende piso luminoso con dos terrazas',
    'El delantero marcó tres goles en la final.',
    'La biblioteca presta también instrumentos de música.',
    'Un fallo del servidor dejó sin servicio a miles de clientes.',
    'Las golondrinas vuelven cada primavera al mismo nido.',
  ],
  it: [
    'Il mercato del pesce apre alle cinque del mattino.',
    'Come si pulisce una macchina per il caffè?',
    'La frana ha interrotto la strada per il rifugio.',
    'L’affresco è stato restaurato dopo il terremoto.',
    'I delfini seguono spesso le barche dei pescatori.',
    'Orario di apertura degli uffici comunali',
    'La squadra ha vinto il campionato all’ultima giornata.',
    'Il contratto di affitto dura quattro anni.',
    'Per il sugo servono pomodori maturi e basilico fresco.',
    'Una cometa sarà visibile a occhio nudo in aprile.',
    'Il consiglio ha approvato il bilancio della scuola.',
    'Mal di testa: quando bisogna chiamare il medico',
    'La fabbrica di sedie esporta in tutta Europa.',
    'I treni ad alta velocità collegano le grandi città.',
  ],
  ko: [
    '시장 골목에서 갓 구운 붕어빵을 팔고 있다.',
    '여권을 다시 발급받으려면 무엇이 필요한가요?',
    '밤새 내린 눈으로 산간 도로가 통제되었다.',
    '김치는 온도가 낮을수록 천천히 익는다.',
    '도서관은 매주 월요일에 문을 닫습니다.',
    '감기와 독감의 차이점',
    '국회는 새 예산안을 표결로 통과시켰다.',
    '이 사찰은 천 년 전에 세워졌다고 한다.',
    '전기차 배터리는 추운 날씨에 약하다.',
    '서울에서 부산까지 가는 기차 시간표',
    '바다거북은 태어난 해변으로 돌아와 알을 낳는다.',
    '세입자는 계약이 끝나기 두 달 전에 알려야 한다.',
    '할머니는 마당에서 고추를 말리고 계셨다.',
    '검색 엔진은 문서를 단어별 목록으로 정리한다.',
  ],
  ja: [
    '駅前の商店街で小さな祭りが開かれた。',
    'パスワードを忘れたときはどうすればいいですか。',
    '台風の影響で船の便がすべて欠航になった。',
    '味噌は大豆と塩と麹から作られる。',
    '図書館では古い地図の展示が行われている。',
    '花粉症の薬の選び方',
    '市議会は学校の改修費を認めた。',
    'この橋は百年以上前に石で造られた。',
    '渡り鳥は星を頼りに飛ぶと考えられている。',
    '東京から札幌までの夜行列車',
    '祖父は毎朝、庭の盆栽に水をやる。',
    '探査機は小惑星の砂を持ち帰った。',
    '賃貸契約を解約するには一か月前の通知が必要だ。',
    '試合は延長戦の末に引き分けに終わった。',
  ],
  zh: [
    '街角的小店每天早上卖热豆浆和油条。',
    '怎样申请换发新的护照？',
    '连日暴雨使河水漫过了堤岸。',
    '这座石桥建于明代，至今仍在使用。',
    '蜜蜂用舞蹈告诉同伴花的位置。',
    '高血压患者的饮食建议',
    '市政府决定延长地铁的运行时间。',
    '她在乐队里拉大提琴已有十年。',
    '天文台观测到一颗新的彗星。',
    '二手自行车，九成新，价格可议',
    '面团需要放在温暖的地方发酵一小时。',
    '法院驳回了公司的上诉。',
    '倒排索引记录每个词出现在哪些文档里。',
    '候鸟每年秋天飞往南方过冬。',
  ],
  ru: [
    'На рынке продают мёд, орехи и сушёные грибы.',
    'Как восстановить удалённые файлы?',
    'Из-за метели закрыли дорогу через перевал.',
    'Художник много лет писал один и тот же залив.',
    'Волки живут стаями и охотятся вместе.',
    'Расписание поездов на праздничные дни',
    'Городской совет утвердил план застройки набережной.',
    'Врач советует больше двигаться и меньше сидеть.',
    'Телескоп обнаружил воду в атмосфере далёкой планеты.',
    'Сдаётся квартира с видом на реку',
    'Для пирога нужны яблоки, мука и немного корицы.',
    'Команда проиграла финал в дополнительное время.',
    'В музее открылась выставка старинных часов.',
    'Цены на зерно выросли после засухи.',
  ],
  ar: [
    'يفتح سوق السمك أبوابه قبل طلوع الشمس.',
    'كيف أجدد جواز السفر؟',
    'أغلقت الثلوج الطريق الجبلي مدة يومين.',
    'ولد الشاعر في قرية صغيرة قرب النهر.',
    'يعيش النحل في خلايا منظمة.',
    'علاج الصداع في المنزل',
    'وافق المجلس على ميزانية المدارس الجديدة.',
    'تحتاج الأشجار إلى ماء أقل في الشتاء.',
    'رصد التلسكوب مجرة بعيدة جدا.',
    'شقة للإيجار بالقرب من الجامعة',
    'يضاف الثوم في آخر الطبخ حتى لا يحترق.',
    'خسر الفريق المباراة النهائية بركلات الترجيح.',
    'يعرض المتحف خرائط رسمها البحارة قديما.',
    'ارتفعت أسعار القمح بعد موسم الجفاف.',
  ],
};

/** Texts of a group of {@link sampleTexts}: a batch of scores. */
const group = 64;
const groups = 8;

/** How many texts {@link sampleTexts} makes. */
export const sampleTextCount: number = groups * group;

/**
 * The texts, in groups of 64 in which no sentence comes twice: two groups of single sentences, then six of two sentences of
 * one language joined. Each group mixes the languages.
 */
export function sampleTexts(): string[] {
  const random = new Random(1);
  const languages = Object.values(sampleSentences);
  const texts = random.shuffle(languages.flat()).slice(0, 2 * group);
  for (let round = 0; texts.length < sampleTextCount; round++) {
    const joined = languages.flatMap((sentences) =>
      disjointPairs(sentences.length, round).map(([i, j]) => `${sentences[i]} ${sentences[j]}`),
    );
    texts.push(...random.shuffle(joined).slice(0, group));
  }
  return texts;
}

/** Pairs of `count` (even) numbers that use each once; other pairs in each round below `count − 1` (the circle method). */
function disjointPairs(count: number, round: number): [number, number][] {
  const ring = count - 1;
  const at = (place: number): number => (((place + round) % ring) + ring) % ring;
  return Array.from({ length: count / 2 }, (_, i) => (i === 0 ? [ring, at(0)] : [at(i), at(-i)]));
}
